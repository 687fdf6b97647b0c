-- expect: value
local t = {}
t[67108863] = 1
return {n = #t}

-- expect: limit
local t = {}
for i = 1, 1000 do t[i] = string.rep('x', 1e6) end
return #t

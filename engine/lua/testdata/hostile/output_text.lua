-- expect: limit
local t = {}
local s = ('x'):rep(2^20)
for i = 1, 20 do t[i] = s end
return t

-- expect: limit
local t = {}
for i = 1, 100 do t[i] = '' end
return #table.concat(t, ('x'):rep(2^20))

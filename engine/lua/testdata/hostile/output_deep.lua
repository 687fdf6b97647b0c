-- expect: limit
local t = {}
local root = t
for i = 1, 10000 do t.t = {} t = t.t end
return root

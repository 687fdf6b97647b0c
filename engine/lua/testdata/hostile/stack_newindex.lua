-- expect: limit
local t = setmetatable({}, {__newindex = function(self, k, v) self[k] = v end})
t.a = 1

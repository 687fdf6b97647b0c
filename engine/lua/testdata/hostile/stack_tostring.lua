-- expect: limit
local t = setmetatable({}, {__tostring = function(self) return 'x' .. tostring(self) end})
return tostring(t)

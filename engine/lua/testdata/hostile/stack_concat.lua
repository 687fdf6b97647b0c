-- expect: limit
local t = setmetatable({}, {__concat = function(a, b) return b .. a end})
return t .. t

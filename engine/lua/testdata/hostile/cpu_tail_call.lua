-- expect: limit
local function ping(n) return ping(n + 1) end
return ping(0)

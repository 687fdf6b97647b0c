-- expect: limit
local a, b
a = function(n) return b(n) end
b = function(n) return a(n) end
return a(0)

-- expect: limit
local s = ('x'):rep(2^20)
return #s:gsub('', ('y'):rep(100))

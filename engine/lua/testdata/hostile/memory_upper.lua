-- expect: limit
local s = ('x'):rep(2^23)
while true do s = s:upper() end

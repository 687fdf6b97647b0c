-- expect: limit
local s = ('a'):rep(10000)
while true do s:find('b') end

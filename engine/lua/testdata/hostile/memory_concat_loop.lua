-- expect: limit
local s = ''
while true do s = s .. 'abcdefghijklmnop' end

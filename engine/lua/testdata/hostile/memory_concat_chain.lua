-- expect: limit
local s = string.rep('x', 1e6)
while true do s = s .. 'y' .. s .. 'z' end

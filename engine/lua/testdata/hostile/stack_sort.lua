-- expect: limit
local function sort() table.sort({2, 1}, sort) end
sort()

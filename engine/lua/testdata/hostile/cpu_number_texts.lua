-- expect: limit
-- Each argument is a text of 8 MB that is read as a number.
local long = (" "):rep(8388608) .. "1"
local many = {}
for i = 1, 7000 do many[i] = long end
return math.max(unpack(many))

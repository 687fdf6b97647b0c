-- expect: limit
local long = (" "):rep(8388608) .. "65"
local many = {}
for i = 1, 7000 do many[i] = long end
return #string.char(unpack(many))

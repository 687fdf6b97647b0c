-- expect: script
local t = {}
for i = 1, 200000 do t[i] = 65 end
return #string.char(unpack(t))

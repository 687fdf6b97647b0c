-- expect: limit
local t = {1}
for i = 1, 50 do t = {t, t} end
return t

-- expect: limit
local t = {x = 1}
while true do for k in pairs(t) do t[k] = (t[k] or 0) + 1 end end

-- expect: limit
local function busy() while true do end end
return pcall(busy)

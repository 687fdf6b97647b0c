-- expect: limit
local function busy() for i = 1, 1e9 do end end
for i = 1, 1e9 do pcall(pcall, pcall, busy) end

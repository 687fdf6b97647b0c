-- expect: limit
local function grow(...) return grow(1, ...) end
return grow()

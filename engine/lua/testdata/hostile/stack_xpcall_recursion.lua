-- expect: value
local function down() return (xpcall(down, down)) end
local ok = pcall(down)
return ok ~= nil

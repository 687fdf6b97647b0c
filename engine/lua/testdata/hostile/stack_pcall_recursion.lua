-- expect: value
local function down() local ok = pcall(down) return ok end
return down() ~= nil

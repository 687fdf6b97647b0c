-- expect: value
local function raise(e) error(e) end
return (xpcall(raise, raise))

-- expect: limit
local M = {}
function M.run() return M.run() end
return M.run()

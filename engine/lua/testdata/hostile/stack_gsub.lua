-- expect: limit
local function again() return (('aa'):gsub('a', again)) end
return again()

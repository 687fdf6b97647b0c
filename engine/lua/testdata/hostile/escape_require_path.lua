-- expect: script
local name = '../../etc/hostname'
return require(name)

-- expect: script
setmetatable(_G, {__index = function() return 'evil' end})

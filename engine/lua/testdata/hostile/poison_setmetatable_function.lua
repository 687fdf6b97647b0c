-- expect: script
setmetatable(print, {__index = function() return 'evil' end})

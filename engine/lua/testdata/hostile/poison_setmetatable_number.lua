-- expect: script
setmetatable(0, {__index = function() return 'evil' end})

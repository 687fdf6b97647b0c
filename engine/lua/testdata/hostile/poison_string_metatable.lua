-- expect: script
getmetatable('').__index = function() return 'evil' end

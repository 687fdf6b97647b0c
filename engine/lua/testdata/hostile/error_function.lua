-- expect: script
error(function() end)

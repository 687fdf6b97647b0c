-- expect: script
return string.dump(function() end)

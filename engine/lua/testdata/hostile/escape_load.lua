-- expect: script
return load(function() return nil end)

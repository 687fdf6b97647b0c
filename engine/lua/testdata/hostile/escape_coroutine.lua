-- expect: script
return coroutine.wrap(function() end)

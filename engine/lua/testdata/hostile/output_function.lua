-- expect: invalid_input
return {f = function() end}

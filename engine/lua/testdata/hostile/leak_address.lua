-- expect: value
return tostring({}) .. tostring(print) .. string.format('%s', {})

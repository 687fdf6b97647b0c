-- expect: value
return ('abc'):sub(0/0, 0/0) ~= nil

-- expect: value
return (pcall(string.byte, 'abc', -1e9, 1e9)) ~= nil

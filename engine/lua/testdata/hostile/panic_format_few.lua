-- expect: value
return (pcall(string.format, '%d %d', 1)) ~= nil

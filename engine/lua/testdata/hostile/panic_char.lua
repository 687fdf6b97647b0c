-- expect: value
return (pcall(string.char, -1, 300)) ~= nil

-- expect: value
return (pcall(string.find, 'abc', 'b', 9e18)) ~= nil

-- expect: limit
return #(string.rep('x', 1e6):gsub('x', string.rep('y', 1000)))

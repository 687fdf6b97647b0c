-- expect: value
string.upper = function() return 'evil' end
table.concat = nil
math.floor = print
return string.upper('a')

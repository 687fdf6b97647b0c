-- expect: value
pcall(string.gsub, 'a', '(a)', '%9')
pcall(string.gsub, 'a', 'a', {a = {}})
return true

-- expect: value
for _, p in ipairs{'[', '%', '(a', '%b', '%f', '(%1)', '%1', '(()', ')'} do pcall(string.find, 'aa', p) pcall(string.gsub, 'aa', p, 'x') end
return true

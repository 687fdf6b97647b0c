-- expect: script
return string.rep('a', 1e5):find(string.rep('a?', 500) .. 'b')

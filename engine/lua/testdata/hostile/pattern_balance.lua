-- expect: limit
return (string.rep('(', 1e5):gsub('%b()', ''))

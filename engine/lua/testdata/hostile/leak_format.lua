-- expect: value
return string.format('%s %s', print, string)

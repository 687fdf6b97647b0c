-- expect: value
local ok, err = pcall(error, {message = 'a'})
err.__tostring = print
return ok

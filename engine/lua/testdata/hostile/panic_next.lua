-- expect: value
return (pcall(next, {}, 'nowhere')) ~= nil

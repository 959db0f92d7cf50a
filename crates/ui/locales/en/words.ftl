# Words for codes: roles, what to mend, why not
role-health-worker = health worker
role-nurse = nurse
role-doctor = doctor
role-specialist = specialist
role-section-doctor = section doctor
role-pharmacist = pharmacist
role-facility-manager = manager of the facility
role-county-officer = county health officer
role-province-officer = provincial health officer
role-ministry-officer = ministry officer
role-administrator = administrator
role-coordinator = coordinator
role-system = the node

error-missing = Please fill this in.
error-too-short = This is too short.
error-too-long = This is too long.
error-too-simple = Everybody would try this first. Choose another.
error-taken = Somebody has this already. Choose another.
error-unknown = This is not known here.
error-letters-and-digits = Only letters and digits, without blanks.
error-digits-only = Only digits.
error-not-a-phone = This is no telephone number.
error-same-as-before = This is the same as before. Choose another.
error-same-person = Choose somebody else.
error-not-administrator = This person is no administrator.
error-out-of-range = This is outside of what is possible.
error-ends-before = The end is not after the beginning.
error-not-the-same = The two are not the same. Type both again.
error-other = Please check this.

refused-wrong = This does not fit. Check it and try again.
refused-wrong-password = Name or password does not fit. Check them and try again.
refused-wrong-pin = The PIN does not fit. Try again, or use the password.
refused-wrong-card = This card opens nothing here.
refused-password-needed = Please give the password once; then PIN and card are enough here.
refused-account-locked = This account is closed. Ask an administrator.
refused-ended = The session has ended. Please sign in again.
refused-wait-seconds = Too many wrong tries. Try again in { $n ->
    [one] 1 second
   *[other] { $n } seconds
}.
refused-wait-minutes = Too many wrong tries. Try again in { $n ->
    [one] 1 minute
   *[other] { $n } minutes
}.

state-two-administrators = Two administrators have to remain at least. First make somebody else one.
state-not-first-run = This facility has its accounts already.
state-has-left = This person has left.
state-too-large = This is too large to be sent to other facilities. Make the text shorter, or save it in parts.
state-other = This is not possible now.

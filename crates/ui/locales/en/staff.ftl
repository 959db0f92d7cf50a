# The people of the facility
staff-person = Person
staff-new = New person
staff-add = Make the account
staff-roles = What the person does here
staff-roles-hint = Choose all. An administrator keeps accounts and sees no chart by that.
staff-phone = Telephone
staff-specialties = Specialties
staff-specialties-hint = For doctors and specialists: what they can be asked about
staff-left = has left
staff-left-count = { $n ->
    [one] 1 person has left
   *[other] { $n } people have left
}
staff-locked = The account is closed
staff-must-change = Has not chosen a password yet
staff-given = A password for once
staff-given-once = This password is shown only once.
staff-given-how = Give it to the person. With the first sign-in they choose their own.
staff-reset = New password
staff-reset-hint = When somebody has forgotten theirs
staff-reset-what = The old password, PIN sign-ins and open sessions end at once. A password for one use is shown.
staff-reset-do = Make a new password
staff-lock = Close the account
staff-lock-hint = For a while: nobody can sign in with it
staff-lock-what = The person is signed out everywhere at once and cannot sign in until you open the account again.
staff-lock-do = Close the account
staff-open = Open the account again
staff-leave = The person leaves
staff-leave-hint = The account closes for good; open work goes to somebody else
staff-leave-what = The account of { $name } closes for good. What they wrote in charts stays under their name.
staff-leave-do = Close the account and hand over
staff-no-work = There is no form that was begun and not sent.
staff-work = { $n ->
    [one] 1 form was begun and not sent
   *[other] { $n } forms were begun and not sent
}
staff-draft = A form, last written { $when }
staff-heir = Who takes over?
staff-heir-hint = Open forms, and consults that the person had taken, go to them
note-staff-locked = The account is closed.
note-staff-open = The account is open again.
note-staff-left = The account is closed for good, and the work is handed over.

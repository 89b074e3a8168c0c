"""The contract of an input transformation."""

from abc import abstractmethod

from skreprogram._strategy import Strategy


class InputTransformation(Strategy, family="input transformation"):
    """Turns target data into source inputs.

    A transformation is a specification with two pure functions. `init` draws the tensors of one
    program, `apply` uses them; stacking the tensors of several programs along a leading axis
    and mapping `apply` over it (``torch.func.vmap``) serves all of them at once.
    """

    # what gradient="auto" means for a source that only answers
    query_gradient = "spsa"

    @property
    def trainable(self):
        """Names of the tensors of `init` that training changes; the rest are constants."""
        return ()

    @abstractmethod
    def init(self, X, space, generator):
        """Draw one program's tensors.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, *data_shape)
            Training data, for constants such as its scale.
        space : InputSpace
            What the source model takes.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        params : dict of str to torch.Tensor
            The program's input side.
        """

    @abstractmethod
    def apply(self, params, X, space):
        """Turn data into source inputs.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            What `init` drew, perhaps trained since.
        X : torch.Tensor of shape (n_samples, *data_shape)
            Target data.
        space : InputSpace
            What the source model takes.

        Returns
        -------
        inputs : torch.Tensor of shape (n_samples, *space.shape), or tuple of them
            Source inputs inside the value range; a tuple holds several views of each sample,
            which the source model sees one after the other.
        """

    def own_spans(self, data_shape, space):
        """Say where the inputs of two samples may differ, if only in some places.

        Everywhere else the inputs of all samples must be equal, and in these places nothing that
        trains may act: ``M`` of equation 1 is 0 there.

        Parameters
        ----------
        data_shape : tuple of int
            Shape of one sample.
        space : InputSpace
            What the source model takes.

        Returns
        -------
        spans : list of (int, int) or None
            First position on the last axis and the one after the last, in ascending order; sources
            of sound then compute only once what all samples of a batch share. None: everywhere.
        """
        return None

    def disturb(self, params, generator):
        """Return the tensors to train with in one step, for example with dropout; none here.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors.
        generator : torch.Generator
            The program's own.

        Returns
        -------
        params : dict of str to torch.Tensor
            Changed copies; the ones passed stay as they are.
        """
        return params

    def renew(self, params, space):
        """Return the tensors to begin an epoch of training with; as they are, here.

        It is called before every epoch, the first one too, so that nothing changes after the last.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors.
        space : InputSpace
            What the source model takes.

        Returns
        -------
        params : dict of str to torch.Tensor
            New tensors of the same names and shapes; the ones passed stay as they are.
        """
        return params

    def penalty(self, params):
        """Return what is added to the training loss, for example an l2 term; 0 here.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors of this side.

        Returns
        -------
        penalty : float or torch.Tensor
            A scalar.
        """
        return 0.0
